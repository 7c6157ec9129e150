package script

import (
	"reflect"

	"mvdan.cc/sh/v3/syntax"
)

// copyOf returns a deep copy of a node in which other nodes stand in the place
// of some: replace returns the new one, or nil to keep what is there.
func copyOf[N syntax.Node](node N, replace func(syntax.Node) syntax.Node) N {
	return copyValue(reflect.ValueOf(node), replace).Interface().(N)
}

func copyValue(v reflect.Value, replace func(syntax.Node) syntax.Node) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		if node, ok := v.Interface().(syntax.Node); ok {
			if other := replace(node); other != nil {
				return reflect.ValueOf(other)
			}
		}
		c := reflect.New(v.Type().Elem())
		c.Elem().Set(copyValue(v.Elem(), replace))
		return c
	case reflect.Interface:
		if v.IsNil() {
			return v
		}
		c := reflect.New(v.Type()).Elem()
		c.Set(copyValue(v.Elem(), replace))
		return c
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			c.Index(i).Set(copyValue(v.Index(i), replace))
		}
		return c
	case reflect.Struct:
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				c.Field(i).Set(copyValue(v.Field(i), replace))
			}
		}
		return c
	}
	return v
}

// onOneLine returns a statement whose words the printer puts on one line, its
// redirections last.
func onOneLine(stmt *syntax.Stmt) *syntax.Stmt {
	at := stmt.Pos()
	c := copyOf(stmt, func(syntax.Node) syntax.Node { return nil })
	move(c, at)
	for _, redir := range c.Redirs {
		move(redir, syntax.NewPos(at.Offset()+1, at.Line(), at.Col()+1))
	}
	c.Comments = stmt.Comments
	return c
}

// move gives a node and all in it one position.
func move(node syntax.Node, to syntax.Pos) {
	for n := range syntax.Preorder(node) {
		v := reflect.ValueOf(n).Elem()
		for i := range v.NumField() {
			if pos, ok := v.Field(i).Interface().(syntax.Pos); ok && pos.IsValid() {
				v.Field(i).Set(reflect.ValueOf(to))
			}
		}
	}
}
