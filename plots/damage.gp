# Loss against noise of scores. Data: for each of `series` series a block of score noise, change of the loss, its lower
# and upper end of 2 SE; series number `curve` is the injected noise, by rising noise.
set multiplot
set label 1 "What noise of scores costs" at screen 0.5,sy(0.35) center font ",8"
set label 2 where at screen 0.5,sy(0.75) center noenhanced
set lmargin at screen sx(1.45)
set rmargin at screen sx(8.6)
set tmargin at screen sy(1.1)
set bmargin at screen sy(6.6)
unset key
set logscale xy
set xrange [x_low:x_high]
set yrange [y_low:y_high]
set xlabel "noise of scores (root mean square over keys)" offset 0,0.3
set label 3 "rise of the loss (nat a token)" at screen sx(0.3),sy(3.85) center rotate by 90
plot for [i=0:series-1] data index (i) using 1:2:3:4 with yerrorbars linetype (101+i) dashtype 1 linewidth 0.6 pointsize 0, \
     data index (int(curve)) using 1:2 with lines linetype (101+int(curve)), \
     for [i=0:series-1] data index (i) using 1:2 with points linetype (101+i) pointsize 0.8
unset label
@key_below
set tmargin at screen sy(7.5)
set bmargin at screen sy(height)
set key at screen sx(0.3),sy(7.5) left top Left reverse maxrows keys
plot NaN notitle, @key_entries
unset multiplot
