# Scalar TurboQuant between its bounds, all times 4^b. Data: for each d, b, D, half width, upper bound.
set title "Scalar TurboQuant: distortion between its bounds"
set xlabel "rate b / bits per coordinate"
set ylabel "4^b D"
set xrange [0.7:8.3]
set yrange [0.8:3.1]
set xtics 1
set key at graph 0.98,0.42 right
upper = sqrt(3)*pi/2
set label 1 "upper bound √3 π/2" at 0.8,upper+0.07
set label 2 "lower bound for any code, d → ∞" at 0.8,1.07
plot upper with lines linecolor rgb "#444444" dashtype 3 notitle, 1 with lines linecolor rgb "#444444" dashtype 3 notitle, \
     for [i=0:dims-1] data index i using 1:($2*4**$1):($3*4**$1) with yerrorlines linetype (i+1) title columnheader(1)
