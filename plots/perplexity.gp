# Perplexity against payload and stored compression, KL divergence against stored compression. Data: for each
# of three panels `series` blocks of compression, value, standard error.
if (format eq "png") {
    set terminal pngcairo size 1900,850 enhanced font "DejaVu Sans,15" linewidth 1.8 background rgb "white"
} else {
    set terminal pdfcairo size 1900/128.0,850/128.0 enhanced font "DejaVu Sans,15" linewidth 1.8
}
set output out.".".format
set multiplot
set label 1 "Perplexity with the whole KV cache compressed as it is written" at screen 0.5,0.96 center font ",20"
set label 2 model."; ".text at screen 0.5,0.92 center noenhanced font ",14"
set label 3 protocol."; bars: 2 SE of the difference to the uncompressed model" at screen 0.5,0.885 center noenhanced font ",11" textcolor rgb "#444444"
set logscale xy
set xtics ("2" 2, "3" 3, "4" 4, "5" 5, "6" 6, "8" 8, "10" 10, "16" 16, "32" 32)
set grid linecolor rgb "#CCCCCC"
set tmargin at screen 0.84
set bmargin at screen 0.11
do for [panel=0:2] {
    set lmargin at screen 0.062 + panel * 0.325
    set rmargin at screen 0.322 + panel * 0.325
    set xlabel (panel == 0 ? "compression, payload: 16 / rate" : "compression, everything stored counted")
    set ylabel (panel == 2 ? "KL divergence from the uncompressed model (nat a token)" : panel == 0 ? "perplexity" : "") offset (panel == 0 ? -1.2 : 0.5),0
    set xrange [(panel == 0 ? payload_low : stored_low) / 1.12:(panel == 0 ? payload_high : stored_high) * 1.12]
    if (panel < 2) {
        set yrange [reference * 0.95:perplexity_high * 1.25]
        set ytics ("5" 5, "7" 7, "10" 10, "12" 12, "15" 15, "20" 20, "25" 25, "30" 30, "40" 40, "50" 50, "60" 60, "80" 80, "100" 100, "150" 150, "200" 200, "300" 300, "500" 500, "1000" 1000, "2000" 2000, "5000" 5000, "10^4" 1e4, "10^5" 1e5)
    } else {
        set yrange [kl_low * 0.7:kl_high * 1.4]
        set ytics ("10^{-4}" 1e-4, "10^{-3}" 1e-3, "0.002" 0.002, "0.005" 0.005, "0.01" 0.01, "0.02" 0.02, "0.05" 0.05, "0.1" 0.1, "0.2" 0.2, "0.5" 0.5, "1" 1, "2" 2, "5" 5, "10" 10)
    }
    first = panel * series
    if (panel == 0) { set key top left reverse Left font ",13" width -3 } else { unset key }
    if (panel < 2) {
        plot reference with lines linecolor rgb "#000000" dashtype (2,3) linewidth 1.2 title sprintf("uncompressed: %.3f", reference), \
             for [i=0:series-1] data index (first+i) using 1:2:(2*$3) with yerrorbars linetype value("style".i) dashtype 1 linewidth 0.6 pointsize 0 notitle, \
             for [i=0:series-1] data index (first+i) using 1:2 with linespoints linetype value("style".i) title columnheader(1)
    } else {
        plot for [i=0:series-1] data index (first+i) using 1:2:(2*$3) with yerrorbars linetype value("style".i) dashtype 1 linewidth 0.6 pointsize 0 notitle, \
             for [i=0:series-1] data index (first+i) using 1:2 with linespoints linetype value("style".i) title columnheader(1)
    }
    unset label
}
unset multiplot
