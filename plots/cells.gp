# Planar codebooks with their cells, a panel each. Data: for panel p, index 2p holds the closed polygons
# (blank line between them), index 2p+1 the codewords; panel titles are title0, title1, ...
if (format eq "png") {
    set terminal pngcairo size 1500,1080 enhanced font "DejaVu Sans,15" linewidth 1.4 background rgb "white"
} else {
    set terminal pdfcairo size 17.5cm,12.6cm enhanced font "DejaVu Sans,8" linewidth 0.8
}
set output out.".".format
across = panels < 4 ? panels : (panels + 1) / 2
set multiplot layout (panels < 4 ? 1 : 2),across title "Codebooks at k = 2 and their cells, inside the disc that holds 99.99 % of the source" font ",18"
set size ratio -1
unset border
unset tics
unset grid
unset key
limit = disc * 1.03
set xrange [-limit:limit]
set yrange [-limit:limit]
do for [p=0:panels-1] {
    set title value(sprintf("title%d", p)) offset 0,-0.6
    plot data index (2*p) using 1:2 with lines linecolor rgb "#0072B2" linewidth 1.2 dashtype 1, \
         data index (2*p+1) using 1:2 with points pointtype 7 pointsize 0.6 linecolor rgb "#000000"
}
unset multiplot
