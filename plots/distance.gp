# Cosine by distance. Data: for each of `series` series a block of age, 1 - cosine, its lower and upper end of 2 SE.
set multiplot
set label 1 "Attention to old tokens alone" at screen 0.5,sy(0.35) center font ",8"
set label 2 where at screen 0.5,sy(0.75) center noenhanced
set lmargin at screen sx(1.45)
set rmargin at screen sx(8.6)
set tmargin at screen sy(1.1)
set bmargin at screen sy(6.6)
unset key
set logscale xy
set xrange [x_low:x_high]
set yrange [y_high:y_low] # 1 - cosine, the better the higher
set xtics (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
set ytics ("−0.5" 1.5, "0" 1, "0.2" 0.8, "0.5" 0.5, "0.7" 0.3, "0.8" 0.2, "0.9" 0.1, "0.95" 0.05, "0.98" 0.02, "0.99" 0.01, "0.995" 0.005, "0.998" 0.002, "0.999" 0.001, "0.9999" 1e-4, "0.99999" 1e-5)
set xlabel "age of the youngest token that is read" offset 0,0.3
set label 3 "attention-output cosine" at screen sx(0.3),sy(3.85) center rotate by 90
plot for [i=0:series-1] data index (i) using 1:2:3:4 with yerrorbars linetype (101+i) dashtype 1 linewidth 0.6 pointsize 0, \
     for [i=0:series-1] data index (i) using 1:2 with linespoints linetype (101+i) pointsize 0.8
unset label
@key_below
set tmargin at screen sy(7.5)
set bmargin at screen sy(height)
set key at screen sx(0.3),sy(7.5) left top Left reverse maxrows keys
plot NaN notitle, @key_entries
unset multiplot
