/** The names of the built-in tools, which no configuration names. */
export const calculatorName = "calculator";
export const sqlToolName = "query_database";
export const webSearchName = "web_search";
