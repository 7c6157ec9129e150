package reader

import "github.com/mlxp/mlxp/logdir"

// Kept is what a record has read of its metadata, for the index.
type kept struct {
	looked bool
	stamp  logdir.Stamp
	entry  *logdir.Entry // what the index has; nil: nothing that counts
	texts  logdir.Entry  // read from the files
}

// indexed is a record whose metadata come from the index where it has them.
func (l *Log) indexed(run logdir.Run, d *demand) *Record {
	r := newRecord(l, run, d)
	r.index = l.index()
	return r
}

// entry returns what the index has of the run, nil if there is nothing.
func (r *Record) entry() *logdir.Entry {
	if r.index != nil && !r.kept.looked {
		r.kept.looked = true
		r.kept.stamp, r.kept.entry = r.index.Look(r.Run)
	}
	return r.kept.entry
}

// readRecord reads the text of the record.
func (r *Record) readRecord() ([]byte, error) {
	if e := r.entry(); e != nil {
		return e.Info, nil
	}
	text, err := r.readFile(logdir.InfoYAML)
	r.kept.texts.Info = text
	return text, err
}

// readConfigFile reads the text of a config. Of those the index has only the one
// that is final.
func (r *Record) readConfigFile(name string) ([]byte, error) {
	if name != logdir.ConfigJSON {
		return r.readFile(name)
	}
	if e := r.entry(); e != nil && e.Config != nil {
		return e.Config, nil
	}
	text, err := r.readFile(name)
	r.kept.texts.Config = text
	return text, err
}

// keep gives the index what was read of a run that has ended. One that anything
// is wrong with is read again each time, so that each time it is said.
func (r *Record) keep() {
	k := &r.kept
	if r.index == nil || k.texts.Info == nil && k.texts.Config == nil || !r.meta().status.Ended() || r.meta().legacy || len(r.Warnings) > 0 {
		return
	}
	e := logdir.Entry{Stamp: k.stamp, Info: k.texts.Info, Config: k.texts.Config}
	if k.entry != nil {
		e.Info = k.entry.Info
	}
	r.index.Put(r.Run, e)
}
