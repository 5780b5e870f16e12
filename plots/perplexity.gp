# Perplexity, change, KL divergence and agreement (from above) against payload (left) and stored (right) compression. Data:
# for each quantity, axis and each of `series` series two blocks: compression, value, standard error of all
# rows; compression and value of those that none beats.
set multiplot
set label 1 "Perplexity with the whole KV cache compressed" at screen 0.5,sy(0.35) center font ",8"
set label 2 where at screen 0.5,sy(0.75) center noenhanced
set logscale x
unset key
do for [quantity=0:3] {
    set tmargin at screen sy(1.1 + 3.3 * quantity)
    set bmargin at screen sy(1.1 + 3.3 * quantity + 3.05)
    unset nonlinear y
    unset logscale y
    if (quantity == 0) {
        set logscale y
        set yrange [perplexity_low:perplexity_high]
        set ytics (5, 7, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 300, 500, 1000, 2000, 5000, 1e4, 1e5, 1e6)
    }
    if (quantity == 1) {
        set yrange [change_low:change_high]
        set nonlinear y via asinh(y/linear) inverse linear*sinh(y)
        set ytics (0)
        do for [v in "0.01 0.03 0.1 0.3 1 3 10 30 100 300 1000 10000 100000"] {
            if (real(v) > 0.9 * linear) {
                set ytics add (real(v))
                set ytics add (-real(v))
            }
        }
    }
    if (quantity == 2) {
        set logscale y
        set yrange [kl_low:kl_high]
        set ytics (1e-7, 1e-6, 1e-5, 1e-4, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
    }
    if (quantity == 3) {
        set yrange [agreement_low:agreement_high]
        set ytics autofreq
    }
    do for [axis=0:1] {
        set lmargin at screen sx(axis == 0 ? 1.45 : 5.2)
        set rmargin at screen sx(axis == 0 ? 4.95 : 8.7)
        if (axis == 0) { set xrange [payload_low:payload_high] } else { set xrange [stored_low:stored_high] }
        if (axis == 0) {
            set label 3 (quantity == 0 ? "perplexity" : quantity == 1 ? "change of perplexity" : quantity == 2 ? "KL (nat a token)" : "same likeliest token") at screen sx(0.3),sy(2.6 + 3.3 * quantity) center rotate by 90
            set format y "%g"
            if (quantity == 2 && edge == edge) { set ytics add ("0" edge) }
        } else {
            set format y ""
            if (quantity == 2 && edge == edge) { set ytics add ("" edge) }
        }
        if (quantity == 3) {
            set xtics ("1" 1, "2" 2, "3" 3, "4" 4, "5" 5, "6" 6, "8" 8, "10" 10, "16" 16, "32" 32, "64" 64)
            set xlabel (axis == 0 ? "compression, payload alone" : "compression, all stored") offset 0,0.3
        } else {
            set xtics ("" 1, "" 2, "" 3, "" 4, "" 5, "" 6, "" 8, "" 10, "" 16, "" 32, "" 64)
            set xlabel ""
        }
        first = (quantity * 2 + axis) * 2 * series
        plot for [i=0:references-1] (quantity == 0 ? value("reference".i) : quantity == 1 && i == 0 ? 0 : quantity == 3 && i == 0 ? 1 : NaN) with lines linecolor rgb "#000000" dashtype 2+(i>0) linewidth 1.0, \
             for [i=0:series-1] data index (first+2*i) using 1:2:(2*$3) with yerrorbars linetype (101+i) dashtype 1 linewidth 0.6 pointsize 0, \
             for [i=0:series-1] data index (first+2*i) using 1:2 with points linetype (101+i) pointsize 0.8, \
             for [i=0:series-1] data index (first+2*i+1) using 1:2 with lines linetype (101+i) linewidth 0.9
        unset label
    }
}
unset nonlinear y
@key_below
top = 1.1 + 3.3 * 4 + 0.7
set tmargin at screen sy(top)
set bmargin at screen sy(height)
set key at screen sx(0.5),sy(top) left top Left reverse maxrows keys + references
set label 1 note at screen sx(0.3),sy(top + 0.3 + 0.31 * (keys + references)) left noenhanced textcolor rgb "#444444"
plot NaN notitle, @key_entries, \
     for [i=0:references-1] keyentry with lines linecolor rgb "#000000" dashtype 2+(i>0) linewidth 1.0 title value("reference_label".i) noenhanced
unset multiplot
