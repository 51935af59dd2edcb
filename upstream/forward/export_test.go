package forward

// Open is the number of connections that are open or being opened, and how many
// of them are idle.
func (f *Forwarder) Open() (open, idle int) { return f.pool.count() }
