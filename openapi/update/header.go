package main

import (
	"regexp"
	"strings"
)

// splitHeader returns the comment lines that the file begins with, and the rest. A checkout may have changed the line
// ends.
func splitHeader(file []byte) (header, body string) {
	body = strings.ReplaceAll(string(file), "\r\n", "\n")
	for strings.HasPrefix(body, "#") {
		line, rest, _ := strings.Cut(body, "\n")
		header += line + "\n"
		body = rest
	}
	return header, body
}

// field returns what the header says after the name and a colon, or "".
func field(header, name string) string {
	if match := fieldLine(name).FindStringSubmatch(header); match != nil {
		return match[2]
	}
	return ""
}

// setField returns the header with another value in a line that it has.
func setField(header, name, value string) string {
	return fieldLine(name).ReplaceAllString(header, "${1}"+value)
}

func fieldLine(name string) *regexp.Regexp {
	return regexp.MustCompile(`(?m)^(# ` + name + `: *)(.*)$`)
}
