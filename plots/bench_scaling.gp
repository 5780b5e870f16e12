# Data: a block for each curve: axis value, time a unit, quartiles, expected; blocks first<p> to last<p> are panel
# p's, which begins top<p> centimetres from above.
set multiplot
set label 1 "How cost grows" at screen 0.5,sy(0.35) center font ",8"
set label 2 "in the keys: measured (expected, grey) exponent" at screen 0.5,sy(0.72) center textcolor rgb "#444444"
set logscale x 2
set logscale y 10
set micro
set format y "%.0s %cs"
set format x "%g"
set lmargin at screen sx(1.5)
set rmargin at screen sx(8.3)
do for [p=0:panels-1] {
    first = value("first".p)
    last = value("last".p)
    top = value("top".p)
    set tmargin at screen sy(top)
    set bmargin at screen sy(top + 2.4)
    set xlabel value("axis".p) offset 0,0.3
    set ylabel value("unit".p) offset 0.8,0
    set xrange [value(sprintf("x%d_low", p)):value(sprintf("x%d_high", p))]
    set yrange [value(sprintf("y%d_low", p)):value(sprintf("y%d_high", p))]
    set key at screen sx(1.5),sy(top + 3.3) left top Left reverse samplen 1.6 maxrows last - first + 1
    plot for [i=first:last] data index i using 1:5 with lines linecolor rgb "#999999" dashtype 1 linewidth 0.7 notitle, \
         for [i=first:last] data index i using 1:2:3:4 with yerrorbars linetype (101 + i - first) dashtype 1 linewidth 0.6 pointsize 0 notitle, \
         for [i=first:last] data index i using 1:2 with linespoints linetype (101 + i - first) linewidth 0.9 pointsize 0.7 title value("label".i) noenhanced
    unset label
}
unset multiplot
