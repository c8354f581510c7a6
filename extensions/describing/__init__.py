"""Many nodes become one system: who calls whom, which topics connect whom, and what does not fit."""
