\echo Use "CREATE EXTENSION crm_analytics" to load this file. \quit
