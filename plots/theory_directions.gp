# Covering radius and cap discrepancy of direction families (filled points) and of random ones (open points).
# Data: for each of two qualities four pairs of blocks, family then random. Random values of k >= 4 are stored
# times 3 as bounds.
set multiplot layout 1,2 title "Directions of the initial codebook (lines) and random directions (thin, open points)" font ",18"
set logscale xy
set xlabel "directions N"
set xrange [12:6000]
set key bottom left Left reverse font ",12"
set yrange [0.0005:2]
do for [q=0:1] {
    set ylabel (q == 0 ? "covering radius / rad" : "cap discrepancy")
    plot for [i=0:3] data index 8*q+2*i using 1:2 with linespoints linetype (i+1) title columnheader(1), \
         for [i=0:3] data index 8*q+2*i+1 using 1:($2/(i < 2 ? 1 : 3)) with linespoints linetype (i+1) dashtype 3 linewidth 0.5 pointtype 4+2*(i%2) pointsize 0.8 notitle
}
unset multiplot
