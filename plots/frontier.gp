# Memory-fidelity frontier. Data: for each axis (payload, stored) and each of `series` series two blocks of
# compression, 1 - cosine, its lower and upper end of 2 SE: all points, then those that none beats. One source has
# its axes one above the other, several have a row of two panels each.
set multiplot
set label 1 "Attention with compressed keys and values" at screen 0.5,sy(0.35) center font ",8"
set label 2 where at screen 0.5,sy(0.75) center noenhanced
set logscale xy
set xrange [x_low:x_high]
set yrange [y_high:y_low] # 1 - cosine, the better the higher
set ytics ("−0.5" 1.5, "0" 1, "0.2" 0.8, "0.5" 0.5, "0.7" 0.3, "0.8" 0.2, "0.9" 0.1, "0.95" 0.05, "0.98" 0.02, "0.99" 0.01, "0.995" 0.005, "0.998" 0.002, "0.999" 0.001, "0.9995" 5e-4, "0.9999" 1e-4, "0.99999" 1e-5)
if (edge == edge) { set ytics add ("1" edge) }
if (panels == 1) {
    set xtics ("1" 1, "1.5" 1.5, "2" 2, "3" 3, "4" 4, "5" 5, "6" 6, "8" 8, "10" 10, "16" 16, "24" 24, "32" 32, "48" 48, "64" 64, "128" 128, "256" 256)
} else {
    set xtics ("1" 1, "2" 2, "3" 3, "4" 4, "6" 6, "8" 8, "12" 12, "16" 16, "24" 24, "48" 48, "128" 128, "256" 256)
}
$claims << EOD
5	0.01
34	0.05
EOD
unset key
do for [panel=0:panels-1] {
    do for [axis=0:1] {
        if (panels == 1) {
            set lmargin at screen sx(1.4)
            set rmargin at screen sx(8.6)
            set tmargin at screen sy(1.1 + 5.0 * axis)
            set bmargin at screen sy(1.1 + 5.0 * axis + 3.95)
            set ylabel (axis == 0 ? "attention-output cosine" : "(scale: log of 1 − cosine)") offset 0.6,0
        } else {
            set lmargin at screen sx(axis == 0 ? 1.75 : 5.55)
            set rmargin at screen sx(axis == 0 ? 5.35 : 9.15)
            set tmargin at screen sy(1.6 + 5.2 * panel)
            set bmargin at screen sy(1.6 + 5.2 * panel + 4.2)
            set label 3 value(sprintf("panel_label%d", panel)) at screen sx(1.75),sy(1.35 + 5.2 * panel) left noenhanced
            if (axis == 0) { set format y "%h"; set ylabel "attention-output cosine" offset 0.9,0 } else { set format y ""; set ylabel "" }
        }
        if (panels == 1 || panel == panels - 1) {
            set xlabel (axis == 0 ? (panels == 1 ? "compression, payload alone: 16 / rate" : "compression, payload alone") : (panels == 1 ? "compression, everything stored counted" : "compression, all stored")) offset 0,0.3
        } else {
            set xlabel ""
        }
        if (panels > 1 && axis == 1) { set ytics ("" 1.5, "" 1, "" 0.8, "" 0.5, "" 0.3, "" 0.2, "" 0.1, "" 0.05, "" 0.02, "" 0.01, "" 0.005, "" 0.002, "" 0.001, "" 5e-4, "" 1e-4, "" 1e-5) }
        if (panels > 1 && axis == 0) {
            set ytics ("−0.5" 1.5, "0" 1, "0.2" 0.8, "0.5" 0.5, "0.7" 0.3, "0.8" 0.2, "0.9" 0.1, "0.95" 0.05, "0.98" 0.02, "0.99" 0.01, "0.995" 0.005, "0.998" 0.002, "0.999" 0.001, "0.9995" 5e-4, "0.9999" 1e-4, "0.99999" 1e-5)
            if (edge == edge) { set ytics add ("1" edge) }
        }
        first = axis * 2 * series
        plot for [i=0:series-1] data index (first+2*i) using (value(sprintf("panel%d", i)) == panel ? $1 : NaN):2 with points linetype (value(sprintf("style%d", i))) pointsize 0.45, \
             for [i=0:series-1] data index (first+2*i+1) using (value(sprintf("panel%d", i)) == panel ? $1 : NaN):2:3:4 with yerrorbars linetype (value(sprintf("style%d", i))) dashtype 1 linewidth 0.5 pointsize 0, \
             for [i=0:series-1] data index (first+2*i+1) using (value(sprintf("panel%d", i)) == panel ? $1 : NaN):2 with linespoints linetype (value(sprintf("style%d", i))), \
             $claims using 1:2 with points pointtype 3 pointsize 1.6 linewidth 1.4 linecolor rgb "#000000"
        unset label
    }
}
@key_below
set tmargin at screen sy(key_top)
set bmargin at screen sy(height)
set key at screen sx(0.5),sy(key_top) left top Left reverse maxrows keys + 1
set label 1 note at screen sx(0.3),sy(key_top + 0.2 + 0.31 * (keys + 1)) left noenhanced textcolor rgb "#444444"
plot NaN notitle, @key_entries, \
     keyentry with points pointtype 3 pointsize 1.6 linewidth 1.4 linecolor rgb "#000000" title "claimed for GPT-2 small"
unset multiplot
