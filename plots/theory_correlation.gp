# Total correlation of a block against d on both logarithmic axes; its decay is k(k-1)/(4 d^2), dotted. Data: `blocks`
# blocks, `coloured` ones first.
set multiplot
set label 1 "Total correlation of the k coordinates of a block" at screen 0.5,sy(0.35) center font ",8"
set lmargin at screen sx(1.5)
set rmargin at screen sx(8.4)
set tmargin at screen sy(0.8)
set bmargin at screen sy(5.6)
set xlabel "dimension d" offset 0,0.3
set ylabel "k h(f_d,1) − h(f_d,k) (nat)" noenhanced offset 1.2,0
set logscale xy
set xrange [x_low:x_high]
set yrange [y_low:y_high]
set format y "%g"
unset key
plot for [i=coloured:blocks-1] data index i using 1:2 with lines linecolor rgb "#AAAAAA" linewidth 0.6, \
     for [i=0:coloured-1] value("k".i)*(value("k".i)-1)/(4.0*x*x) with lines linetype (101+i) dashtype (1.5,2.5) linewidth 0.8, \
     for [i=0:coloured-1] data index i using 1:2 with linespoints linetype (101+i) linewidth 0.9 pointsize 0.8
@key_below
set tmargin at screen sy(6.5)
set bmargin at screen sy(height)
set key at screen sx(0.5),sy(6.5) left top Left reverse maxrows coloured + 2
plot NaN notitle, for [i=0:coloured-1] keyentry with linespoints linetype (101+i) title value("label".i) noenhanced, \
     keyentry with lines linecolor rgb "#444444" dashtype (1.5,2.5) title "k(k − 1) / (4 d²)", \
     keyentry with lines linecolor rgb (blocks > coloured ? "#AAAAAA" : "#FFFFFF") title (blocks > coloured ? "other k" : " ")
unset multiplot
