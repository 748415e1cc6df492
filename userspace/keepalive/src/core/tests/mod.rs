mod random;
mod scenes;
mod words;
mod world;
