# How finite codes approach the high-rate limit. Data: `scalars` blocks of k = 1 as rate, D L^2, limit; then up to
# `curves` blocks as rate, ratio, standard error.
set multiplot
set label 1 "Finite codes against the high-rate limit" at screen 0.5,sy(0.35) center font ",8"
set lmargin at screen sx(1.3)
set rmargin at screen sx(8.5)
set tmargin at screen sy(0.8)
set bmargin at screen sy(5.6)
set xlabel "rate b (bits a coordinate)" offset 0,0.3
set ylabel "N²ᐟᵏ D over its limit" offset 0.8,0
set xrange [x_low:x_high]
set yrange [y_low:y_high]
unset key
plot 1 with lines linecolor rgb "#444444" dashtype 3, \
     for [i=0:scalars-1] data index i using 1:($2/$3) with linespoints linetype (101+i) linewidth 0.9 pointsize 0.7, \
     for [i=scalars:curves-1] data index i using 1:2:(2*$3) with yerrorbars linetype (101+i) dashtype 1 linewidth 0.6 pointsize 0, \
     for [i=scalars:curves-1] data index i using 1:2 with linespoints linetype (101+i) linewidth 0.9 pointsize 0.7
@key_below
set tmargin at screen sy(6.5)
set bmargin at screen sy(height)
set key at screen sx(0.5),sy(6.5) left top Left reverse maxrows curves + 1
plot NaN notitle, for [i=0:curves-1] keyentry with linespoints linetype (101+i) title value("label".i) noenhanced, \
     keyentry with lines linecolor rgb "#444444" dashtype 3 title "limit, best known cell"
unset multiplot
