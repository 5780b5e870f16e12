# Radial densities of f_{d,k} as lines, histograms of drawn samples as points with two standard errors.
# Data: left_blocks then right_blocks blocks of radius, density, histogram, its standard error.
set multiplot layout 1,2 title "Radius R = |X| of a block: density under f_{d,k} (lines) and drawn samples (points, ±2 SE)" font ",18"
set xlabel "radius r"
set ylabel "density of R"
set yrange [0:*]
set xrange [0:*]
set key top right
do for [panel=0:1] {
    set title (panel == 0 ? "d = 64" : "k = 4")
    first = panel == 0 ? 0 : left_blocks
    last = panel == 0 ? left_blocks - 1 : left_blocks + right_blocks - 1
    plot for [i=first:last] data index i using 1:2 with lines linetype (i-first+1) title columnheader(1), \
         for [i=first:last] data index i using 1:3:(2*$4) with yerrorbars linetype (i-first+1) dashtype 1 linewidth 0.6 pointsize 0.55 notitle
}
unset multiplot
