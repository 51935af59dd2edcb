package dpop

// Len is how many keys are ready.
func (k *Keys) Len() (n int) {
	k.ready.Range(func(any, any) bool { n++; return true })
	return n
}
