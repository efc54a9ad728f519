// Package tool holds what the commands that maintain this module have in common.
package tool
