# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A table as Markdown that is readable as it is, and groups of bars as SVG: no scripts, no fonts of
# its own, on a light or a dark background.
package Figures;
use strict;
use warnings;
use Exporter qw(import);
use POSIX ();

our @EXPORT = qw(cell least median plot print_table);

my ($WIDTH, $LEFT, $RIGHT, $PANEL, $GAP, $TOP) = (1040, 70, 16, 230, 62, 44);
my $LEGEND_COLUMNS = 3;
my $LEGEND_ROW = 18;

# The greys are readable on white and on black, where a viewer does not know the media query.
my $STYLE = <<'END';
text { font: 12px system-ui, sans-serif; fill: #777c84 }
.title { font-size: 15px; font-weight: 600 }
.middle { text-anchor: middle } .right { text-anchor: end }
line { stroke: #8888; stroke-width: 1 }
@media (prefers-color-scheme: light) { text { fill: #3a3f47 } }
@media (prefers-color-scheme: dark) { text { fill: #c9ced6 } }
END

# ---- numbers ------------------------------------------------------------------------------

sub median
{
	my @sorted = sort { $a <=> $b } grep { defined } @_;

	return if !@sorted;
	return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}

sub least
{
	return (sort { $a <=> $b } grep { defined } @_)[0];
}

sub cell
{
	my ($format, $value) = @_;

	return defined $value ? sprintf($format, $value) : '';
}

# ---- the table ----------------------------------------------------------------------------

# The column $name is aligned to the left, the others, numbers, to the right.
sub print_table
{
	my ($name, $head, @rows) = @_;
	my @width = map { my $i = $_; (sort { $b <=> $a } map { length $_->[$i] } $head, @rows)[0] }
		0 .. $#$head;
	my @left = map { $_ == $name } 0 .. $#$head;
	my $line = sub { '| ' . join(' | ', map { sprintf '%' . ($left[$_] ? '-' : '') . $width[$_] . 's',
		$_[0][$_] } 0 .. $#width) . " |\n" };

	print $line->($head), '|', join('|', map { '-' x ($width[$_] + 1) . ($left[$_] ? '-' : ':') }
		0 .. $#width), "|\n", map { $line->($_) } @rows;
}

# ---- the plot -----------------------------------------------------------------------------

sub escape
{
	return $_[0] =~ s/&/&amp;/gr =~ s/</&lt;/gr =~ s/>/&gt;/gr =~ s/"/&quot;/gr;
}

sub text
{
	my ($x, $y, $class, $text) = @_;

	return sprintf qq(<text x="%.1f" y="%.1f" class="%s">%s</text>\n), $x, $y, $class, escape($text);
}

# The step of an axis and how many: the least of 1, 2, 2.5, 5 x 10^n of which six reach $max.
sub ticks_for
{
	my ($max) = @_;
	my $ten = 10 ** POSIX::floor(log($max / 6) / log(10));
	my ($tick) = grep { 6 * $_ * $ten >= $max } 1, 2, 2.5, 5, 10;

	$tick *= $ten;
	return ($tick, POSIX::ceil($max / $tick));
}

sub grouped
{
	return scalar reverse(reverse($_[0]) =~ s/(\d{3})(?=\d)/$1,/gr);
}

sub axis
{
	my ($panel, $top, $tick, $ticks) = @_;
	my $svg = text($LEFT - 50, $top - 14, '', $panel->{title});

	for (0 .. $ticks) {
		my $y = $top + $PANEL * (1 - $_ / $ticks);
		$svg .= sprintf qq(<line x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>\n), $LEFT, $WIDTH - $RIGHT,
			$y, $y;
		$svg .= text($LEFT - 6, $y + 4, 'right', grouped($_ * $tick));
	}
	return $svg;
}

sub bar
{
	my ($series, $group, $value, $unit, $x, $y, $width, $height) = @_;
	my $title = escape(sprintf '%s, %s: %s%s', $series->{name}, $group, grouped(sprintf '%.0f', $value),
		$unit);

	return sprintf qq(<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"><title>%s)
		. "</title></rect>\n", $x, $y, $width, $height, $series->{color}, $title;
}

# $panel: {title, unit, max, values => {series' key}{group}}.
sub bars
{
	my ($plot, $panel, $top) = @_;
	my ($tick, $ticks) = ticks_for($panel->{max});
	my $step = ($WIDTH - $LEFT - $RIGHT) / @{$plot->{groups}};
	my $width = 0.84 * $step / @{$plot->{series}};
	my $svg = axis($panel, $top, $tick, $ticks);

	for my $g (0 .. $#{$plot->{groups}}) {
		my $group = $plot->{groups}[$g];
		my $x = $LEFT + ($g + 0.08) * $step;
		for my $series (@{$plot->{series}}) {
			my $value = $panel->{values}{$series->{key}}{$group};
			my $height = $PANEL * ($value || 0) / ($tick * $ticks);
			$svg .= bar($series, $group, $value, $panel->{unit}, $x, $top + $PANEL - $height,
				$width - 1, $height) if defined $value;
			$x += $width;
		}
		$svg .= text($LEFT + ($g + 0.5) * $step, $top + $PANEL + 17, 'middle', $group);
	}
	return $svg;
}

sub legend
{
	my ($plot, $top) = @_;
	my $column = ($WIDTH - $LEFT) / $LEGEND_COLUMNS;
	my $rows = int(($#{$plot->{series}} + $LEGEND_COLUMNS) / $LEGEND_COLUMNS);
	my $svg = '';

	for my $i (0 .. $#{$plot->{series}}) {
		my $x = $LEFT + int($i / $rows) * $column;
		my $y = $top + ($i % $rows) * $LEGEND_ROW;
		$svg .= sprintf qq(<rect x="%.1f" y="%.1f" width="11" height="11" fill="%s"/>\n), $x, $y,
			$plot->{series}[$i]{color};
		$svg .= text($x + 17, $y + 10, '', $plot->{series}[$i]{name});
	}
	return ($svg, $rows * $LEGEND_ROW);
}

# {title, groups => [], series => [{key, name, color}], panels => []}
sub plot
{
	my ($plot) = @_;
	my ($svg, $top) = (text($LEFT - 50, 20, 'title', $plot->{title}), $TOP + 18);

	for my $panel (@{$plot->{panels}}) {
		$svg .= bars($plot, $panel, $top);
		$top += $PANEL + $GAP;
	}
	my ($legend, $height) = legend($plot, $top - 20);
	$height += $top;
	return qq(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $WIDTH $height" width="$WIDTH" )
		. qq(height="$height" role="img">\n<title>) . escape($plot->{title})
		. "</title>\n<style>\n$STYLE</style>\n$svg$legend</svg>\n";
}

1;
