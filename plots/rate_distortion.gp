# Distortion against rate. Data: `measured` blocks of rate, D, standard error; then `theory` blocks of
# rate, high-rate D, Shannon bound, one for each k.
if (format eq "png") {
    set terminal pngcairo size 1700,900 enhanced font "DejaVu Sans,16" linewidth 1.8 background rgb "white"
} else {
    set terminal pdfcairo size 19cm,10cm enhanced font "DejaVu Sans,9" linewidth 1.2
}
set output out.".".format
set multiplot layout 1,2 title sprintf("Distortion against rate, canonical source, d = %d; fresh samples, error bars of 2 SE below the marks", dim) font ",18"
set xlabel "rate b = log_2(N)/k  (bits a coordinate, norm not counted)"
set xrange [0:4.2]
set logscale y
set format y "%g"
set yrange [0.003:1.1]
set ylabel "normalised distortion D"
set key bottom left font ",13"
set title "D"
plot for [i=0:measured-1] data index i using 1:2:(2*$3) with yerrorbars linetype (i+1) dashtype 1 linewidth 0.8 title columnheader(1), \
     data index measured using 1:3 with lines linecolor rgb "#000000" linewidth 1.6 dashtype 1 title "Shannon lower bound"
set title "D 4^b: distance to the Gaussian distortion-rate function"
set ylabel "D 4^b"
unset logscale y
set yrange [0.9:3]
set key top left font ",12" maxrows 10
plot for [i=0:measured-1] data index i using 1:($2*4**$1):(2*$3*4**$1) with yerrorlines linetype (i+1) linewidth 0.8 notitle, \
     for [i=measured:measured+theory-1] data index i using 1:($2*4**$1) with lines linetype (i-measured+1) linewidth 0.6 title columnheader(1), \
     data index measured using 1:($3*4**$1) with lines linecolor rgb "#000000" linewidth 1.6 dashtype 1 title "Shannon lower bound"
unset multiplot
