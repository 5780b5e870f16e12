# How narrow enclosures get. Data: for each of `curves` quantities, bits of precision and radius over magnitude.
set multiplot
set label 1 "Certified enclosures against precision" at screen 0.5,sy(0.35) center font ",8"
set lmargin at screen sx(1.6)
set rmargin at screen sx(8.5)
set tmargin at screen sy(0.8)
set bmargin at screen sy(5.6)
set xlabel "precision (bits)" offset 0,0.3
set ylabel "radius / |value|" offset 0.8,0
set logscale y
set format y "%g"
set xrange [x_low:x_high]
set yrange [y_low:y_high]
set xtics 64
unset key
plot 2.0**(-x) with lines linecolor rgb "#444444" dashtype 3, \
     for [i=0:curves-1] data index i using 1:2 with linespoints linetype (101+i) linewidth 0.9 pointsize 0.8
@key_below
set tmargin at screen sy(6.5)
set bmargin at screen sy(height)
set key at screen sx(0.5),sy(6.5) left top Left reverse maxrows curves + 1
plot NaN notitle, for [i=0:curves-1] keyentry with linespoints linetype (101+i) title value("label".i) noenhanced, \
     keyentry with lines linecolor rgb "#444444" dashtype 3 title "two to the minus precision"
unset multiplot
