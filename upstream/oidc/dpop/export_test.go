package dpop

// Len is how many keys are ready.
func (k *DPoPKeys) Len() (n int) {
	k.ready.Range(func(any, any) bool { n++; return true })
	return n
}
