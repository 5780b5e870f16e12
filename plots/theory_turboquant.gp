# Scalar TurboQuant between its bounds, all times 4^b. Data: for each of `dims` d, coloured ones first, b, D, half
# width, upper bound.
set multiplot
set label 1 "Scalar TurboQuant: distortion between its bounds" at screen 0.5,sy(0.35) center font ",8"
set lmargin at screen sx(1.2)
set rmargin at screen sx(8.5)
set tmargin at screen sy(0.8)
set bmargin at screen sy(5.6)
set xlabel "rate b (bits a coordinate)" offset 0,0.3
set ylabel "4ᵇ D" offset 0.8,0
set xrange [x_low:x_high]
set yrange [y_low:y_high]
set xtics 1
unset key
upper = sqrt(3)*pi/2
set label 2 "upper bound √3 π/2" at graph 0.02,first upper offset 0,0.5
set label 3 "lower bound for any code, d → ∞" at graph 0.98,first 1 right offset 0,-0.5
plot upper with lines linecolor rgb "#444444" dashtype 3, 1 with lines linecolor rgb "#444444" dashtype 3, \
     for [i=coloured:dims-1] data index i using 1:($2*4**$1) with lines linecolor rgb "#AAAAAA" linewidth 0.6, \
     for [i=0:coloured-1] data index i using 1:($2*4**$1):($3*4**$1) with yerrorbars linetype (101+i) dashtype 1 linewidth 0.6 pointsize 0, \
     for [i=0:coloured-1] data index i using 1:($2*4**$1) with linespoints linetype (101+i) linewidth 0.9 pointsize 0.7
@key_below
set tmargin at screen sy(6.5)
set bmargin at screen sy(height)
set key at screen sx(0.5),sy(6.5) left top Left reverse maxrows coloured + 1
plot NaN notitle, for [i=0:coloured-1] keyentry with linespoints linetype (101+i) title value("label".i) noenhanced, \
     keyentry with lines linecolor rgb (dims > coloured ? "#AAAAAA" : "#FFFFFF") title (dims > coloured ? "other d" : " ")
unset multiplot
