//! The account schemas of a recipe.
