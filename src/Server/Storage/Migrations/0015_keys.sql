-- Published for the rooms that follow: which key a number stands for, what it is called and where it lives, whatever became of it.
CREATE VIEW key_places AS SELECT key_no, id AS key_id, name AS key_name, project_no, environment FROM keys;
