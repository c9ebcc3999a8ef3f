//! Every line of SQL.
