package session

// journal carries what is in memory to a file. A nil journal does nothing.
type journal struct{}

func (j *journal) item(key string, it item)         {}
func (j *journal) entry(person, id string, it item) {}
func (j *journal) flush() error                     { return nil }
func (j *journal) close() error                     { return nil }
