// What the precompiled header of this name is compiled with.
