"""The whole system on one machine: emulators, simulated traffic, exam logs, and the demo."""
