# Radial densities of f_{d,k} as lines, histograms of drawn samples as points with two standard errors. Data:
# blocks first<p> to last<p> are panel p's: radius, density, histogram, its standard error.
set multiplot
set label 1 "Radius of a block: density f_{d,k} and samples" at screen 0.5,sy(0.35) center font ",8" noenhanced
set ylabel "density of R = |X|" offset 0.8,0
set lmargin at screen sx(1.2)
set rmargin at screen sx(8.6)
set key top right
do for [panel=0:panels-1] {
    set tmargin at screen sy(0.8 + 4.9 * panel)
    set bmargin at screen sy(0.8 + 4.9 * panel + 4.0)
    set xlabel (panel == panels - 1 ? "radius r" : "") offset 0,0.3
    set label 2 value("title".panel) at graph 0.5,0.94 center
    set xrange [0:value("x_high".panel)]
    set yrange [0:value("y_high".panel)]
    first = value("first".panel)
    last = value("last".panel)
    plot for [i=first:last] data index i using 1:2 with lines linetype value("style".i) linewidth 0.9 notitle, \
         for [i=first:last] data index i using 1:3:(2*$4) with yerrorbars linetype value("style".i) dashtype 1 linewidth 0.5 pointsize 0 notitle, \
         for [i=first:last] data index i using 1:3 with points linetype value("style".i) pointsize 0.4 notitle, \
         for [i=first:last] keyentry with linespoints linetype value("style".i) title value("label".i)
    unset label
}
unset multiplot
