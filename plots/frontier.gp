# Memory-fidelity frontier. Data: for each axis (payload, stored) and each of `series` series two blocks of
# compression, 1 - cosine, its lower and upper end of 2 SE: all points, then those that none beats.
if (format eq "png") {
    set terminal pngcairo size 1700,1040 enhanced font "DejaVu Sans,16" linewidth 1.8 background rgb "white"
} else {
    set terminal pdfcairo size 1700/128.0,1040/128.0 enhanced font "DejaVu Sans,16" linewidth 1.8
}
set output out.".".format
set multiplot
set label 1 "Memory-fidelity frontier: attention with keys and values compressed" at screen 0.5,0.965 center font ",20"
set label 2 model."; ".text at screen 0.5,0.93 center noenhanced font ",14"
set label 3 protocol at screen 0.5,0.9 center noenhanced font ",11" textcolor rgb "#444444"
set label 4 "Bars: 2 SE over heads and blocks of positions. Small marks: everything measured; curves: the best of a kind. TurboQuant between whole rates codes each" at screen 0.02,0.045 left font ",11" textcolor rgb "#444444"
set label 5 "head's most energetic channels finer (calibrated). Beyond: keys as differences to a mean, norms restored, first token as it is, more bits for keys; population training." at screen 0.02,0.02 left font ",11" textcolor rgb "#444444"
set logscale xy
set xrange [2.6:150]
set yrange [0.9:0.0025] # 1 - cosine, the better the higher
set ytics ("0.2" 0.8, "0.5" 0.5, "0.7" 0.3, "0.8" 0.2, "0.9" 0.1, "0.95" 0.05, "0.98" 0.02, "0.99" 0.01, "0.995" 0.005)
set grid linecolor rgb "#CCCCCC"
set xtics ("3" 3, "4" 4, "5" 5, "6" 6, "8" 8, "10" 10, "16" 16, "20" 20, "32" 32, "40" 40, "64" 64, "128" 128)
$claims << EOD
5	0.01
34	0.05
EOD
do for [axis=0:1] {
    set lmargin at screen (axis == 0 ? 0.075 : 0.565)
    set rmargin at screen (axis == 0 ? 0.495 : 0.985)
    set tmargin at screen 0.865
    set bmargin at screen 0.145
    set xlabel (axis == 0 ? "compression, payload: 16 / rate" : "compression, everything stored counted")
    set ylabel (axis == 0 ? "attention-output cosine" : "")
    if (axis == 1) { unset label }
    if (axis == 0) { set key top right reverse Left font ",14" width -4 opaque } else { unset key }
    first = axis * 2 * series
    plot for [i=0:series-1] data index (first+2*i) using 1:2 with points linetype value("style".i) pointsize 0.5 notitle, \
         for [i=0:series-1] data index (first+2*i+1) using 1:2:3:4 with yerrorbars linetype value("style".i) dashtype 1 linewidth 0.6 pointsize 0 notitle, \
         for [i=0:series-1] data index (first+2*i+1) using 1:2 with linespoints linetype value("style".i) title columnheader(1), \
         $claims using 1:2 with points pointtype 3 pointsize 2.6 linewidth 1.6 linecolor rgb "#000000" title "claimed for GPT-2 small"
}
unset multiplot
