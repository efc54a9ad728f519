package tool

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// ErrUsage is a wrong use of a command's flags.
var ErrUsage = errors.New("run it with -h for its flags")

// ParseFlags reads the flags of a command that takes nothing else. The error is [ErrUsage], or [flag.ErrHelp] where
// help was asked for and given.
func ParseFlags(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return fmt.Errorf("read the flags: %w: %w", err, ErrUsage)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("read the flags: unexpected argument %q: %w", flags.Arg(0), ErrUsage)
	}
	return nil
}

// ExitStatus says on stderr how the command of that name failed, if it did, and returns its exit status: 0 after
// success and help, 2 after a wrong use of the flags, 1 after any other failure.
func ExitStatus(stderr io.Writer, name string, err error) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	_, _ = fmt.Fprintf(stderr, "%s: %v\n", name, err)
	if errors.Is(err, ErrUsage) {
		return 2
	}
	return 1
}
