# Above: shaping and density factors against k. Below: total gain in dB, with its limits. Data: shaping, sphere-bound
# shaping, then `dims` blocks of density, then `dims` blocks of total, `coloured` ones first.
set multiplot
set label 1 "High-rate gain over the scalar product code" at screen 0.5,sy(0.35) center font ",8"
set lmargin at screen sx(1.2)
set rmargin at screen sx(8.5)
set tmargin at screen sy(0.8)
set bmargin at screen sy(4.7)
set xrange [x_low:x_high]
set logscale x 2
set xtics 2
unset key
set yrange [factor_low:factor_high]
set ylabel "factor" offset 0.8,0
plot for [i=coloured:dims-1] data index (2+i) using 1:2 with lines linecolor rgb "#AAAAAA" linewidth 0.6, \
     for [i=0:1] data index i using 1:2 with lines linecolor rgb "#000000" dashtype i+1 linewidth 1.1, \
     for [i=0:coloured-1] data index (2+i) using 1:2 with linespoints linetype (101+i) pointsize 0.4 linewidth 0.9
unset label
set tmargin at screen sy(5.4)
set bmargin at screen sy(9.2)
set yrange [0:5]
set ylabel "gain (dB)"
set xlabel "block dimension k" offset 0,0.3
limit = 10*log10(sqrt(3)*pi/2)
shaping = 10*log10(pi*exp(1)/6)
set label 1 "limit 4.35 dB" at graph 0.02,first limit+0.2
set label 2 "limit of shaping alone, 1.53 dB" at graph 0.98,first shaping+0.2 right
plot limit with lines linecolor rgb "#444444" dashtype 3, \
     shaping with lines linecolor rgb "#444444" dashtype 3, \
     for [i=coloured:dims-1] data index (2+dims+i) using 1:(10*log10($2)) with lines linecolor rgb "#AAAAAA" linewidth 0.6, \
     data index 0 using 1:(10*log10($2)) with lines linecolor rgb "#000000" dashtype 1 linewidth 1.1, \
     for [i=0:coloured-1] data index (2+dims+i) using 1:(10*log10($2)) with linespoints linetype (101+i) pointsize 0.4 linewidth 0.9
@key_below
set tmargin at screen sy(10.15)
set bmargin at screen sy(height)
set key at screen sx(0.5),sy(10.15) left top Left reverse maxrows coloured + 3
plot NaN notitle, keyentry with lines linecolor rgb "#000000" dashtype 1 linewidth 1.1 title "shaping, best known cell", \
     keyentry with lines linecolor rgb "#000000" dashtype 2 linewidth 1.1 title "shaping, sphere bound", \
     for [i=0:coloured-1] keyentry with linespoints linetype (101+i) title (i == 0 ? "density (above) and total (below), " : "").value("label".i), \
     keyentry with lines linecolor rgb (dims > coloured ? "#AAAAAA" : "#FFFFFF") title (dims > coloured ? "other d" : " ")
unset multiplot
