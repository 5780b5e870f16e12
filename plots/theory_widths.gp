# How narrow enclosures get. Data: for each quantity, bits of precision and radius over magnitude.
set title "Certified enclosures against the precision of ball arithmetic"
set xlabel "precision / bits"
set ylabel "radius / |value|"
set logscale y
set format y "10^{%L}"
set xrange [40:530]
set yrange [1e-160:1e5]
set xtics 64
set key bottom left Left reverse
plot 2.0**(-x) with lines linecolor rgb "#888888" dashtype 3 title "2^{−precision}", \
     for [i=0:3] data index i using 1:2 with linespoints linetype (i+1) title columnheader(1)
