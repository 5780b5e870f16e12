# How finite codes approach the high-rate limit. Data: k = 1 as rate, D L^2, limit; then k = 2, 3, 4 as rate,
# ratio, standard error.
set title "Finite codes against the high-rate limit, d = 64 (G_k of the best known cell)"
set xlabel "rate b / bits per coordinate"
set ylabel "N^{2/k} D  /  d G_k ||f||_{k/(k+2)}"
set xrange [0.5:6.5]
set yrange [0.5:1.05]
set key bottom right
plot 1 with lines linecolor rgb "#444444" dashtype 3 title "limit", \
     data index 0 using 1:($2/$3) with linespoints linetype 1 title columnheader(1), \
     for [i=1:3] data index i using 1:2:(2*$3) with yerrorlines linetype (i+1) title columnheader(1)
