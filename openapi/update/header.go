package main

import (
	"bytes"
	"regexp"
	"strings"
)

// The lines of the header that this command reads or writes, in the layout of the others there.
var (
	sourceLine    = regexp.MustCompile(`(?m)^# Source: +(\S+)$`)
	retrievedLine = regexp.MustCompile(`(?m)^# Retrieved:.*\n`)
	sumLine       = regexp.MustCompile(`(?m)^# SHA-256:.*\n`)
)

// splitHeader returns the comment lines that a vendored document begins with, and the rest of it. Line ends are
// those of Unix in the header, whatever a checkout made of them.
func splitHeader(data []byte) (header string, document []byte) {
	var lines strings.Builder
	for len(data) > 0 && data[0] == '#' {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		lines.Write(bytes.TrimSuffix(line, []byte("\r")))
		lines.WriteByte('\n')
		data = rest
	}
	return lines.String(), data
}

// headerSource returns the URL of the whole document, or "" if header names none.
func headerSource(header string) string {
	if match := sourceLine.FindStringSubmatch(header); match != nil {
		return match[1]
	}
	return ""
}

// stampHeader returns header with the date on which the upstream document was retrieved and its checksum.
func stampHeader(header, date, sum string) string {
	header = sumLine.ReplaceAllLiteralString(header, "")
	stamp := "# Retrieved: " + date + "\n# SHA-256:   " + sum + "\n"
	at := retrievedLine.FindStringIndex(header)
	if at == nil {
		return header + stamp
	}
	return header[:at[0]] + stamp + header[at[1]:]
}
