package consumer

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// usual are the variables that a snippet may use without declaring them, with their types.
var usual = map[string]string{
	"apiKey":  "string",
	"client":  "*api.ClientWithResponses",
	"ctx":     "context.Context",
	"err":     "error",
	"id":      "string",
	"ids":     "[]string",
	"key":     "string",
	"session": "*api.TunnelSession",
	"srv":     "*ngroktest.Server",
	"t":       "*testing.T",
}

var leadingImports = regexp.MustCompile(`\A(?:\s*import\s+(?:\((?s:.*?)\)|[^(\n]+)\n)*`)

// complete makes a file of a snippet, which may be a file, declarations or statements, by what it lacks: a package
// clause, a function around it, imports, variables. A position in it is one in the text that the snippet is from.
// Packages are import paths by their names.
func complete(snippet block, source string, packages map[string]string) (string, error) {
	at := fmt.Sprintf("//line %s:%d\n", source, snippet.line)
	if _, err := parser.ParseFile(token.NewFileSet(), "", snippet.text, parser.PackageClauseOnly); err == nil {
		return at + snippet.text, nil
	}
	const clause = "package snippet\n\n"
	body := at + snippet.text
	file, err := parser.ParseFile(token.NewFileSet(), "", clause+body, parser.SkipObjectResolution)
	if err != nil {
		if body, err = function(snippet, source); err != nil {
			return "", err
		}
		if file, err = parser.ParseFile(token.NewFileSet(), "", clause+body, parser.SkipObjectResolution); err != nil {
			return "", err
		}
	}
	added, variables := missing(file, packages)
	return clause + added + body + "\n//line added.go:1\n" + variables, nil
}

// function puts statements into a function that returns what they return. Variables that they only declare are used.
func function(snippet block, source string) (string, error) {
	imports := leadingImports.FindString(snippet.text)
	statements := snippet.text[len(imports):]
	line := snippet.line + strings.Count(imports, "\n")
	start := fmt.Sprintf("//line %s:%d\n%s\nfunc _() ", source, snippet.line, imports)
	rest := fmt.Sprintf("{\n//line %s:%d\n%s\n", source, line, statements)
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+start+rest+"}\n", parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	body := file.Decls[len(file.Decls)-1].(*ast.FuncDecl).Body
	results, end := "", ""
	if n := resultsOf(body); n > 0 {
		results = "(" + strings.Repeat("any, ", n-1) + "error) "
		end = "return " + strings.Repeat("nil, ", n-1) + "nil\n"
	}
	var uses strings.Builder
	for _, name := range declaredIn(body.List) {
		uses.WriteString("_ = " + name + "\n")
	}
	return start + results + rest + "//line added.go:1\n" + uses.String() + end + "}\n", nil
}

// resultsOf returns how many values the return statements of a function's body have.
func resultsOf(body *ast.BlockStmt) int {
	most := 0
	ast.Inspect(body, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			most = max(most, len(node.Results))
		}
		return true
	})
	return most
}

// declaredIn returns the variables that statements declare, outside of any block of their own.
func declaredIn(statements []ast.Stmt) []string {
	var names []string
	add := func(ids ...ast.Expr) {
		for _, each := range ids {
			if id, ok := each.(*ast.Ident); ok && id.Name != "_" && !slices.Contains(names, id.Name) {
				names = append(names, id.Name)
			}
		}
	}
	for _, each := range statements {
		switch each := each.(type) {
		case *ast.AssignStmt:
			if each.Tok == token.DEFINE {
				add(each.Lhs...)
			}
		case *ast.DeclStmt:
			declaration := each.Decl.(*ast.GenDecl)
			for _, spec := range declaration.Specs {
				if spec, ok := spec.(*ast.ValueSpec); ok && declaration.Tok == token.VAR {
					for _, id := range spec.Names {
						add(id)
					}
				}
			}
		}
	}
	return names
}

// missing returns the import declarations that a file lacks, and declarations of the usual variables that it uses.
func missing(file *ast.File, packages map[string]string) (imports, variables string) {
	known := make(map[string]bool)
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		known[path.Base(imported)] = true
		if spec.Name != nil {
			known[spec.Name.Name] = true
		}
	}
	global := make(map[string]bool)
	for _, declaration := range file.Decls {
		switch declaration := declaration.(type) {
		case *ast.FuncDecl:
			global[declaration.Name.Name] = declaration.Recv == nil
		case *ast.GenDecl:
			for _, spec := range declaration.Specs {
				if spec, ok := spec.(*ast.ValueSpec); ok {
					for _, id := range spec.Names {
						global[id.Name] = true
					}
				}
			}
		}
	}
	var needed, declared []string
	need := func(name string) {
		if _, isPackage := packages[name]; isPackage && !known[name] && !slices.Contains(needed, name) {
			needed = append(needed, name)
		}
	}
	declare := func(name string) {
		if _, isUsual := usual[name]; isUsual && !global[name] && !slices.Contains(declared, name) {
			declared = append(declared, name)
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.SelectorExpr:
			if id, ok := node.X.(*ast.Ident); ok {
				need(id.Name)
			}
		case *ast.Ident:
			declare(node.Name)
		}
		return true
	})
	for _, name := range declared {
		variables += fmt.Sprintf("var %s %s\n", name, usual[name])
		if owner, _, ok := strings.Cut(strings.TrimLeft(usual[name], "*[]"), "."); ok {
			need(owner)
		}
	}
	slices.Sort(needed)
	for _, name := range needed {
		imports += fmt.Sprintf("import %q\n", packages[name])
	}
	return imports, variables
}

func TestComplete(t *testing.T) {
	packages := map[string]string{"api": "outside.test/api", "context": "context", "fmt": "fmt", "log": "log", "testing": "testing"}
	for _, test := range []struct {
		name, snippet string
		want          []string // in the file, in that order
		never         string
	}{
		{"file", "package main\n\nfunc main() {}\n", []string{"//line a.md:7\npackage main"}, "snippet"},
		{"declarations", "func f() { fmt.Print(key) }\n",
			[]string{"package snippet", `import "fmt"`, "//line a.md:7\nfunc f()", "var key string"}, "func _"},
		{"declarations with imports", "import \"fmt\"\n\nfunc f() { fmt.Print() }\n", []string{"//line a.md:7\nimport \"fmt\""}, "import \"fmt\"\n//line"},
		{"statements", "x, err := api.New(key)\nif err != nil {\n\treturn err\n}\n",
			[]string{`import "outside.test/api"`, "func _() (error) {", "//line a.md:7\nx, err", "_ = x\n_ = err\nreturn nil\n}", "var key string"}, "import \"context\""},
		{"statements that return two values", "return client.Get(ctx), err\n",
			[]string{`import "outside.test/api"`, `import "context"`, "(any, error) {", "return nil, nil", "var client *api.ClientWithResponses"}, ""},
		{"statements with imports", "import \"log\"\n\nlog.Print()\n", []string{"import \"log\"", "func _() {", "//line a.md:8\n\nlog.Print()"}, "return"},
		{"returns within a function only", "f := func() error { return nil }\n", []string{"func _() {", "_ = f"}, "(error)"},
		{"variable that is declared", "var err error\nfmt.Print(err)\n", []string{"var err error", "fmt.Print"}, ""},
		{"constants and types", "const a = 1\ntype b int\n", []string{"const a = 1"}, "_ = a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := complete(block{"go", 7, test.snippet}, "a.md", packages)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := format.Source([]byte(got)); err != nil {
				t.Error(err)
			}
			rest := got
			for _, want := range test.want {
				_, after, found := strings.Cut(rest, want)
				if !found {
					t.Fatalf("%q is missing, or too early, in\n%s", want, got)
				}
				rest = after
			}
			if test.never != "" && strings.Contains(got, test.never) {
				t.Errorf("%q is in\n%s", test.never, got)
			}
		})
	}
	_, err := complete(block{"go", 7, "x := 1\ny := := 2\n"}, "a.md", packages)
	if err == nil || !strings.Contains(err.Error(), "a.md:8") {
		t.Errorf("got %v, want an error in line 8", err)
	}
}
