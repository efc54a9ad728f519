package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// A target is the most that the client may cost beside the floor; zero is none.
type target struct {
	time   float64 // ratio
	bytes  float64 // ratio
	allocs float64 // difference
}

var targets = map[string]target{
	"Get/in-memory":        {time: 1.25, allocs: 16},
	"Get/http1/callers=1":  {time: 1.10},
	"Get/http1/callers=64": {time: 0.5},
	"Large/announced":      {bytes: 1.5},
	"Large/chunked":        {bytes: 1.5},
}

// regeneration is the setting whose rows are numbers of operations, as in operations=50.
const regeneration = "Regenerate"

func (r *results) print(w io.Writer) error {
	if len(r.settings) == 0 {
		return errors.New("there is no benchmark in the input: give it the output of go test -bench")
	}
	if len(r.about) > 0 {
		fmt.Fprintln(w, strings.Join(r.about, ", "))
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	rounds := 0
	for _, s := range r.settings {
		if floor := s.row("floor"); floor != nil {
			if rounds == 0 {
				fmt.Fprint(t, "\nsetting\trow\ttime\tto floor\t(half of rounds)\tfastest\ttarget\t"+
					"bytes\tto floor\tper byte of body\ttarget\tallocs\tto floor\ttarget\tconns/1000 calls\t\n")
			}
			rounds = max(rounds, len(floor.values["ns/op"]))
			for _, row := range s.rows {
				fmt.Fprintln(t, strings.Join(s.line(row, floor), "\t")+"\t")
			}
		}
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	if rounds > 0 {
		fmt.Fprintf(w, "\nMedians of %d rounds; fastest compares each row's fastest round, which other work on the machine "+
			"disturbed least.\nOver loopback, the server's work is part of each row.\n", rounds)
	}
	for _, s := range r.settings {
		if s.name == regeneration {
			return s.printGrowth(w)
		}
	}
	return nil
}

// line returns the cells of a row's line.
func (s *setting) line(r, floor *row) []string {
	most := target{}
	if r.name == "client" {
		most = targets[s.name]
	}
	var timeRatio, half, fastest, bytesRatio, allocsMore, perByte, conns string
	if r != floor {
		ratios := r.ratios(floor, "ns/op")
		timeRatio = fmt.Sprintf("%.2f", quantile(ratios, 0.5))
		half = fmt.Sprintf("%.2f–%.2f", quantile(ratios, 0.25), quantile(ratios, 0.75))
		fastest = fmt.Sprintf("%.2f", quantile(r.values["ns/op"], 0)/quantile(floor.values["ns/op"], 0))
		bytesRatio = fmt.Sprintf("%.2f", quantile(r.ratios(floor, "B/op"), 0.5))
		allocsMore = fmt.Sprintf("%+.0f", r.median("allocs/op")-floor.median("allocs/op"))
	}
	if body := r.median("body-B/op"); body > 0 {
		perByte = fmt.Sprintf("%.2f", r.median("B/op")/body)
	}
	if len(r.values["conns/op"]) > 0 {
		conns = fmt.Sprintf("%.1f", 1000*r.median("conns/op"))
	}
	return []string{
		s.name, r.name,
		time.Duration(r.median("ns/op")).Round(10 * time.Nanosecond).String(),
		timeRatio, half, fastest, limit("%.2f", most.time),
		fmt.Sprintf("%.0f", r.median("B/op")), bytesRatio, perByte, limit("%.2f", most.bytes),
		fmt.Sprintf("%.0f", r.median("allocs/op")), allocsMore, limit("+%.0f", most.allocs),
		conns,
	}
}

// limit formats a target, if there is one.
func limit(format string, value float64) string {
	if value == 0 {
		return ""
	}
	return "≤ " + fmt.Sprintf(format, value)
}

// printGrowth prints how the time to regenerate the client grows with the number of operations.
func (s *setting) printGrowth(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\nregeneration\tgenerate\tgrowth\tupdate\tgrowth\t\n")
	for _, r := range s.rows {
		fmt.Fprint(t, strings.Replace(r.name, "operations=", "operations: ", 1), "\t")
		for _, unit := range []string{"generate-s/op", "update-s/op"} {
			if len(r.values[unit]) == 0 {
				fmt.Fprint(t, "\t\t")
				continue
			}
			fmt.Fprintf(t, "%.1f s\t%.1f×\t", r.median(unit), r.median(unit)/s.rows[0].median(unit))
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print the growth of regeneration: %w", err)
	}
	return nil
}
