package main

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// results are what benchmarks have measured.
type results struct {
	about    []string // the machine, as in "cpu: AMD EPYC"
	settings []*setting
}

// A setting is a benchmark without the row: Get/in-memory.
type setting struct {
	name string
	rows []*row
}

// A row holds the values of all rounds by unit, as in ns/op.
type row struct {
	name   string
	values map[string][]float64
}

// processors is what go test appends to names: the value of GOMAXPROCS, if it is not 1.
var processors = regexp.MustCompile(`-\d+$`)

// read adds the output of one or more runs of go test -bench. Lines that are not about a benchmark or the machine
// are left out.
func (r *results) read(output io.Reader) error {
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		line := lines.Text()
		fields := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "goos: "), strings.HasPrefix(line, "goarch: "), strings.HasPrefix(line, "cpu: "):
			if !slices.Contains(r.about, line) {
				r.about = append(r.about, line)
			}
		case strings.HasPrefix(line, "--- FAIL: "), strings.HasPrefix(line, "FAIL"):
			return fmt.Errorf("a benchmark failed (%s): run it alone to see why", line)
		case len(fields) >= 4 && len(fields)%2 == 0 && strings.HasPrefix(line, "Benchmark"):
			if err := r.add(fields); err != nil {
				return fmt.Errorf("line %q: %w", line, err)
			}
		}
	}
	return lines.Err()
}

// add adds the result of one benchmark: its name, how often it ran, and values with their units.
func (r *results) add(fields []string) error {
	name := processors.ReplaceAllString(strings.TrimPrefix(fields[0], "Benchmark"), "")
	if suffix := strings.TrimPrefix(processors.FindString(fields[0]), "-"); suffix != "" {
		if about := "processors: " + suffix; !slices.Contains(r.about, about) {
			r.about = append(r.about, about)
		}
	}
	i := strings.LastIndex(name, "/")
	into := r.row(name[:max(i, 0)], strings.TrimPrefix(name[i+1:], "row="))
	for i := 2; i < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return fmt.Errorf("read the value of %s: %w", fields[i+1], err)
		}
		into.values[fields[i+1]] = append(into.values[fields[i+1]], value)
	}
	return nil
}

// row returns the row of that name, which it makes if need be.
func (r *results) row(settingName, name string) *row {
	i := slices.IndexFunc(r.settings, func(s *setting) bool { return s.name == settingName })
	if i < 0 {
		i = len(r.settings)
		r.settings = append(r.settings, &setting{name: settingName})
	}
	if found := r.settings[i].row(name); found != nil {
		return found
	}
	made := &row{name: name, values: make(map[string][]float64)}
	r.settings[i].rows = append(r.settings[i].rows, made)
	return made
}

// row returns the row of that name, or nil.
func (s *setting) row(name string) *row {
	if i := slices.IndexFunc(s.rows, func(r *row) bool { return r.name == name }); i >= 0 {
		return s.rows[i]
	}
	return nil
}

// median returns the median of a unit's values over all rounds.
func (r *row) median(unit string) float64 { return quantile(r.values[unit], 0.5) }

// ratios returns the values of a unit as ratios to those of another row in the same rounds.
func (r *row) ratios(to *row, unit string) []float64 {
	a, b := r.values[unit], to.values[unit]
	ratios := make([]float64, min(len(a), len(b)))
	for i := range ratios {
		ratios[i] = a[i] / b[i]
	}
	return ratios
}

// quantile returns the value below which a part q of the values is, or 0 if there are none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	values = slices.Sorted(slices.Values(values))
	at := q * float64(len(values)-1)
	low := int(at)
	high := min(low+1, len(values)-1)
	return values[low] + (at-float64(low))*(values[high]-values[low])
}
