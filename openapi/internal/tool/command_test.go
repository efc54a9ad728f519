package tool

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestParseFlags(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		is   error // nil: none
		text string
	}{
		{"good", []string{"-a", "b"}, nil, ""},
		{"help", []string{"-h"}, flag.ErrHelp, ""},
		{"unknown", []string{"-z"}, ErrUsage, "read the flags: flag provided but not defined: -z"},
		{"argument", []string{"-a", "b", "c"}, ErrUsage, `read the flags: unexpected argument "c"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			flags := flag.NewFlagSet("test", flag.ContinueOnError)
			flags.SetOutput(io.Discard)
			flags.String("a", "", "")
			err := ParseFlags(flags, test.args)
			if !errors.Is(err, test.is) || (err == nil) != (test.is == nil) || err != nil && !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v, want %v with %q", err, test.is, test.text)
			}
		})
	}
}

func TestExitStatus(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
		text   string
	}{
		{nil, 0, ""},
		{flag.ErrHelp, 0, ""},
		{fmt.Errorf("x: %w", ErrUsage), 2, "test: x: run it with -h for its flags\n"},
		{errors.New("broken"), 1, "test: broken\n"},
	} {
		var stderr strings.Builder
		if got := ExitStatus(&stderr, "test", test.err); got != test.status || stderr.String() != test.text {
			t.Errorf("%v: got %d and %q, want %d and %q", test.err, got, stderr.String(), test.status, test.text)
		}
	}
}
