package fakesched

// systems are the schedulers by the names that a Config gives them.
var systems map[string]*system

// It is filled in here because the commands look into it.
func init() {
	systems = map[string]*system{"slurm": slurm, "sge": sge, "oar": oar, "openpbs": openpbs, "torque": torque, "lsf": lsf, "moab": moab}
}
