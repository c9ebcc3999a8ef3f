-- What of the network a component may reach, where that differs from the installation's.

ALTER TABLE components ADD COLUMN network TEXT CHECK (network IN ('none', 'https', 'any')); -- what its processes may reach; null for what the installation has
