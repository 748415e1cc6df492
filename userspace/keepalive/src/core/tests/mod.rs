mod random;
mod scenes;
mod storm;
mod words;
mod world;
