package read

import (
	"reflect"
	"strconv"
	"strings"
	"time"

	"coatcheck/configs"
)

// prefill gives v and everything in it that is no pointer the defaults of their tags.
func prefill(v reflect.Value) {
	if v.Kind() != reflect.Struct {
		return
	}
	t := v.Type()
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("yaml") == "" && !t.Field(i).Anonymous {
			continue
		}
		if preset, ok := t.Field(i).Tag.Lookup("default"); ok {
			set(v.Field(i), preset)
		} else {
			prefill(v.Field(i))
		}
	}
}

// set writes a tag's default into a field.
func set(v reflect.Value, preset string) {
	switch v.Interface().(type) {
	case time.Duration:
		v.SetInt(int64(must(parseDuration(preset))))
		return
	case configs.Size:
		v.SetInt(int64(must(parseSize(preset))))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(preset)
	case reflect.Bool:
		v.SetBool(must(strconv.ParseBool(preset)))
	case reflect.Int:
		v.SetInt(int64(must(parseInt(preset))))
	case reflect.Slice:
		words := strings.Split(preset, "|")
		v.Set(reflect.MakeSlice(v.Type(), len(words), len(words)))
		for i, word := range words {
			set(v.Index(i), word)
		}
	default:
		panic("read: no default can be given to a " + v.Type().String())
	}
}
