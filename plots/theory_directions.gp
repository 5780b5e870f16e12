# Covering radius and cap discrepancy of direction families (marks) and of random ones (thin lines). Data: for each
# of `curves` families and each quality two blocks, family then random, whose values times scale<i> are meant.
set multiplot
set label 1 "Directions of the initial codebook" at screen 0.5,sy(0.35) center font ",8"
set lmargin at screen sx(1.5)
set rmargin at screen sx(8.4)
set logscale xy
set logscale x 2
set format "%g"
set xrange [x_low:x_high]
unset key
do for [q=0:1] {
    set tmargin at screen sy(q == 0 ? 0.8 : 5.2)
    set bmargin at screen sy(q == 0 ? 4.7 : 9.1)
    if (q == 0) { set yrange [y0_low:y0_high] } else { set yrange [y1_low:y1_high] }
    set xlabel (q == 1 ? "directions N" : "") offset 0,0.3
    set ylabel (q == 0 ? "covering radius (rad)" : "cap discrepancy") offset 1.2,0
    plot for [i=0:curves-1] data index (4*i+2*q+1) using 1:($2*value("scale".i)) with lines linetype (101+i) dashtype 3 linewidth 0.6, \
         for [i=0:curves-1] data index (4*i+2*q) using 1:2 with linespoints linetype (101+i) linewidth 0.9 pointsize 0.8
    unset label
}
@key_below
set tmargin at screen sy(10.0)
set bmargin at screen sy(height)
set key at screen sx(0.5),sy(10.0) left top Left reverse maxrows curves + 1
plot NaN notitle, for [i=0:curves-1] keyentry with linespoints linetype (101+i) title value("label".i) noenhanced, \
     keyentry with lines linecolor rgb "#444444" dashtype 3 linewidth 0.6 title "random directions of the same k"
unset multiplot
