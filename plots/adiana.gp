# Rounds and bits to a target. Data: for each of `series` series a block of omega/sqrt(n), rounds, error, omega, bits, error.
set multiplot
set label 1 "Independent and shared compression" at screen 0.5,sy(0.35) center font ",8"
unset key
set logscale xy
set tmargin at screen sy(1.1)
set bmargin at screen sy(5.4)
do for [side=0:1] {
    set lmargin at screen sx(side == 0 ? 1.3 : 5.6)
    set rmargin at screen sx(side == 0 ? 4.5 : 8.6)
    if (side == 0) {
        set xrange [spread_low:spread_high]
        set yrange [rounds_low:rounds_high]
        set xlabel "omega / sqrt(n)" offset 0,0.3
        set label 2 "rounds to the target" at screen sx(1.3),sy(0.85) left
    } else {
        set xrange [omega_low:omega_high]
        set yrange [bits_low:bits_high]
        set xlabel "omega" offset 0,0.3
        set label 2 "bits until then" at screen sx(5.6),sy(0.85) left
        set format y "%.0s%c"
    }
    plot for [i=0:series-1] data index (i) using (side == 0 ? $1 : $4):(side == 0 ? $2 : $5):(2 * (side == 0 ? $3 : $6)) with yerrorbars linetype (101+i) dashtype 1 linewidth 0.6 pointsize 0, \
         for [i=0:series-1] data index (i) using (side == 0 ? $1 : $4):(side == 0 ? $2 : $5) with points linetype (101+i) pointsize 0.8
    unset label 2
}
unset label
@key_below
top = 6.5
set tmargin at screen sy(top)
set bmargin at screen sy(height)
set key at screen sx(0.3),sy(top) left top Left reverse maxrows series
set label 1 note at screen sx(0.3),sy(top + 0.3 + 0.31 * series) left noenhanced textcolor rgb "#444444"
plot NaN notitle, for [i=0:series-1] keyentry with points linetype (101+i) title value("label".i) noenhanced
unset multiplot
