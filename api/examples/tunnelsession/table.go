package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"

	"example.com/ngrokapi/api"
)

// table prints a session as two aligned columns.
func table(w io.Writer, s *api.TunnelSession) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"ID", s.ID},
		{"Host", s.IP},
		{"OS", s.OS},
		{"Agent version", s.AgentVersion},
		{"Region", s.Region},
		{"Started at", s.StartedAt},
		{"Transport", s.Transport},
		{"Credential", s.Credential.ID},
		{"Metadata", s.Metadata},
		{"URI", s.URI},
	} {
		fmt.Fprintf(t, "%s\t%s\n", row[0], cell(row[1]))
	}
	return t.Flush()
}

// cell returns a value as it can be shown. Metadata is whatever the owner of an agent configured, line breaks and
// control sequences of terminals included.
func cell(value string) string {
	switch {
	case value == "":
		return "-"
	case strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }):
		return strconv.Quote(value)
	}
	return value
}
