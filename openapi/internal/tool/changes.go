package tool

import "fmt"

// Changes is what a tool that compares reports.
type Changes struct {
	Lines    []string // a line each, marked if breaking
	Breaking int      // how many of the lines are
}

// Add adds a line, which may be a breaking change.
func (c *Changes) Add(breaking bool, line string) {
	mark := "            "
	if breaking {
		mark = "  breaking  "
		c.Breaking++
	}
	c.Lines = append(c.Lines, mark+line)
}

// Section returns the lines under a title, after an empty line.
func (c Changes) Section(title string) []string {
	lines := c.Lines
	if len(lines) == 0 {
		lines = []string{"            nothing"}
	}
	return append([]string{"", title + ":"}, lines...)
}

// Count returns n and what, in words.
func Count(n int, what string) string {
	switch n {
	case 0:
		return "no " + what
	case 1:
		return "1 " + what
	default:
		return fmt.Sprintf("%d %ss", n, what)
	}
}
