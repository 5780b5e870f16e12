# Total correlation of a block against d on both logarithmic axes; its decay is k(k-1)/(4 d^2).
set title "Total correlation of the k coordinates of a block"
set xlabel "dimension d"
set ylabel "k h(f_{d,1}) − h(f_{d,k}) / nats"
set logscale xy
set xrange [16:4096]
set format y "10^{%L}"
set key top right
plot for [i=0:4] data index i using 1:2 with linespoints linetype (i+1) title columnheader(1), \
     for [k in "2 4 8 16 32"] k*(k-1)/(4.0*x*x) with lines linecolor rgb "#888888" dashtype 3 linewidth 0.6 title (k eq "2" ? "k(k−1)/(4d^2)" : "")
