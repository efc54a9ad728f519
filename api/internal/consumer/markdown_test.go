package consumer

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A block is fenced code in a Markdown text.
type block struct {
	language string
	line     int // of the first line of text, from 1
	text     string
}

// blocks returns the fenced code of a Markdown text.
func blocks(markdown string) []block {
	var found []block
	var open *block
	number := 0
	for line := range strings.Lines(markdown) {
		number++
		language, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && open == nil:
			open = &block{language: language, line: number + 1}
		case isFence:
			found = append(found, *open)
			open = nil
		case open != nil:
			open.text += strings.TrimRight(line, "\r\n") + "\n"
		}
	}
	return found
}

// A shellCommand is one that a Markdown text shows.
type shellCommand struct {
	environ []string // A=b, before the command
	words   []string
	output  []string // the lines shown as what it prints
}

func (c shellCommand) String() string {
	return strings.Join(slices.Concat(c.environ, c.words), " ")
}

var (
	inline      = regexp.MustCompile("`((?:[A-Z_]+=\\S+ )*(?:go|make) [^`]+)`")
	environment = regexp.MustCompile(`^[A-Z_]+=`)
)

// shellCommands returns the commands of a Markdown text: those in blocks of shell, of which the ones that follow a "$"
// can show their output, and those of go and make within a sentence.
func shellCommands(markdown string) []shellCommand {
	var found []shellCommand
	for _, each := range blocks(markdown) {
		if slices.Contains([]string{"sh", "bash", "shell", "console"}, each.language) {
			found = append(found, commandsOf(each.text)...)
		}
	}
	for _, match := range inline.FindAllStringSubmatch(markdown, -1) {
		found = append(found, parseCommand(match[1]))
	}
	return found
}

func commandsOf(text string) []shellCommand {
	text = strings.ReplaceAll(text, "\\\n", " ")
	session := strings.HasPrefix(text, "$ ") || strings.Contains(text, "\n$ ")
	var found []shellCommand
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		command, isPrompt := strings.CutPrefix(line, "$ ")
		switch {
		case session && !isPrompt:
			if len(found) > 0 {
				last := &found[len(found)-1]
				last.output = append(last.output, line)
			}
		case line != "" && !strings.HasPrefix(line, "#"):
			found = append(found, parseCommand(command))
		}
	}
	return found
}

func parseCommand(line string) shellCommand {
	line, _, _ = strings.Cut(line, " #")
	words := strings.Fields(line)
	n := 0
	for n < len(words) && environment.MatchString(words[n]) {
		n++
	}
	return shellCommand{environ: words[:n:n], words: words[n:]}
}

func TestShellCommands(t *testing.T) {
	const markdown = "Text, and `KEY=… make live ID=ts_…` or `go vet .`, not `make`.\n" +
		"```sh\nmake run    # it runs\n# a comment\n\nA=1 B=2 go test \\\n  ./...\n```\n" +
		"```go\nmake(chan int)\n```\n" +
		"```console\n$ make help\none\n\n$ make\n```\n"
	var got []string
	for _, each := range shellCommands(markdown) {
		got = append(got, each.String()+" > "+strings.Join(each.output, "|"))
	}
	want := []string{
		"make run > ",
		"A=1 B=2 go test ./... > ",
		"make help > one|",
		"make > ",
		"KEY=… make live ID=ts_… > ",
		"go vet . > ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if first := blocks(markdown)[1]; first.language != "go" || first.line != 10 {
		t.Errorf("got %+v", first)
	}
}
