# Left: shaping and density factors against k. Right: total gain in dB, with its limits.
# Data: shaping, sphere-bound shaping, then dims blocks of density, then dims blocks of total.
set multiplot layout 1,2 title "High-rate gain over the scalar product code" font ",18"
set xlabel "block dimension k"
set ylabel "factor"
set xrange [2:32]
set logscale x 2
set yrange [1:2.05]
set key top left font ",13"
plot for [i=0:1] data index i using 1:2 with lines linetype (i == 0 ? 7 : 8) title columnheader(1), \
     for [i=2:1+dims] data index i using 1:2 with lines linetype (i-1) title columnheader(1)
set ylabel "gain / dB"
set yrange [0:5]
set key at 2.1,4.2 left top Left reverse
limit = 10*log10(sqrt(3)*pi/2)
shaping = 10*log10(pi*exp(1)/6)
set label 1 "limit 4.35 dB" at 2.15,limit+0.12 font ",14"
set label 2 "limit of shaping alone, 1.53 dB" at 31,shaping+0.12 right font ",14"
plot limit with lines linecolor rgb "#444444" dashtype 3 notitle, \
     shaping with lines linecolor rgb "#444444" dashtype 3 notitle, \
     data index 0 using 1:(10*log10($2)) with lines linetype 7 title "shaping alone", \
     for [i=2+dims:1+2*dims] data index i using 1:(10*log10($2)) with lines linetype (i-1-dims) title columnheader(1)
unset multiplot
